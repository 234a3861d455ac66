import { decodedForm, fieldRefusal, type FormFields, formFields } from './form-body.js';
import { Problem } from './problem.js';

/** No form of ours has a tenth of it; each part costs its parser more than its bytes say. */
const PARTS_MAX = 100;

/**
 * Parses a `multipart/form-data` body (RFC 7578) into the same fields of text as a URL-encoded one: no files. The body is
 * whole and bounded when it comes here, so Node's own parser for the Fetch standard reads it: strict about boundaries and
 * line ends, and no streaming parser (busboy) has anything to stream.
 *
 * @throws Problem validation_failed
 */
export const parseMultipartBody = async (bytes: Uint8Array, contentType: string): Promise<FormFields> => {
  // The parser replaces what is no UTF-8, where the other forms refuse it.
  const text = decodedForm(bytes);
  if (countOf(text, 'content-disposition:') > PARTS_MAX) throw unreadable(`It may have at most ${PARTS_MAX} fields.`);
  const entries: [string, string][] = [];
  for (const [name, value] of await formDataOf(bytes, contentType)) {
    if (typeof value !== 'string') throw fieldRefusal(name, 'file_not_allowed', 'must be text and not a file');
    entries.push([name, value]);
  }
  return formFields(entries);
};

const formDataOf = async (bytes: Uint8Array, contentType: string): Promise<FormData> => {
  try {
    // Discouraged in servers since it takes the whole body into memory: ours is there already, 100 KiB at most.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return await new Response(Buffer.from(bytes), { headers: { 'content-type': contentType } }).formData();
  } catch (cause) {
    throw unreadable('It is not well-formed.', cause);
  }
};

const countOf = (text: string, part: string): number => text.toLowerCase().split(part).length - 1;

const unreadable = (why: string, cause?: unknown): Problem =>
  new Problem('validation_failed', { detail: `The multipart form cannot be read. ${why}`, cause });
