import { XMLParser, XMLValidator } from 'fast-xml-parser';

import { ReportFault } from './imported-report.js';

/** A parsed element: text, or members by name. Repeatable elements are always lists. */
export type XmlNode = string | { readonly [name: string]: XmlNode | readonly XmlNode[] | undefined };

/** camt.053 needs 13. */
const DEPTH_MAX = 32;

/**
 * Parses XML that anybody may have written. No document type declaration, so no entities but the five of XML itself: nothing
 * to expand (billion laughs) and nothing to fetch (XXE). Values stay text: `007` is not 7.
 *
 * @param lists paths of elements that may be repeated, such as `Document.BkToCstmrStmt.Stmt`
 * @throws ReportFault
 */
export const parseXml = (text: string, lists: ReadonlySet<string>): XmlNode => {
  if (/<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(text))
    throw new ReportFault('forbidden_construct', 'the document has a document type declaration');
  requireShallow(text);
  // It is to move to a package of its own, and is the same there.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const wellFormed = XMLValidator.validate(text);
  if (wellFormed !== true) {
    const { line } = wellFormed.err;
    throw new ReportFault('malformed', 'the document is not well-formed XML: it may be cut off', line);
  }
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    // `removeNSPrefix` would take the namespace itself away.
    transformTagName: (name) => name.slice(name.indexOf(':') + 1),
    parseTagValue: false,
    parseAttributeValue: false,
    processEntities: true,
    htmlEntities: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    isArray: (_name, path) => typeof path === 'string' && lists.has(path),
  });
  try {
    return parser.parse(text) as XmlNode;
  } catch (error) {
    throw new ReportFault('malformed', error instanceof Error ? 'the document cannot be read' : 'unreadable');
  }
};

/** How what begins at `open` ends. Comments, CDATA and instructions may hold anything. */
const endOf = (text: string, open: number): string => {
  if (text.startsWith('<!--', open)) return '-->';
  if (text.startsWith('<![CDATA[', open)) return ']]>';
  return text.startsWith('<?', open) ? '?>' : '>';
};

/** Before the parser, whose memory grows with the depth. Each character is looked at once, whatever the document is. */
const requireShallow = (text: string): void => {
  let depth = 0;
  for (let open = text.indexOf('<'); open >= 0;) {
    const end = endOf(text, open);
    const close = text.indexOf(end, open + 1);
    if (close < 0) throw new ReportFault('malformed', 'the document is cut off');
    if (end === '>' && text[close - 1] !== '/') depth += text[open + 1] === '/' ? -1 : 1;
    if (depth > DEPTH_MAX)
      throw new ReportFault('forbidden_construct', `the document is nested more than ${DEPTH_MAX} levels deep`);
    open = text.indexOf('<', close + end.length);
  }
};
