import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { validateXML } from 'xmllint-wasm';

const FILE = 'pain.001.001.09.xsd';
const schema = { fileName: FILE, contents: readFileSync(join(import.meta.dirname, FILE), 'utf8') };

/**
 * Holds a payment file against the published schema, by libxml2.
 *
 * @returns what is wrong; nothing when the document is valid
 */
export const faultsIn = async (xml: string): Promise<readonly string[]> => {
  const { errors } = await validateXML({ xml: { fileName: 'payments.xml', contents: xml }, schema });
  return errors.map(({ message }) => message);
};
