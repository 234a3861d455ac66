/**
 * The path of a request as segments, or `undefined` when it could be read in two ways. Nothing is normalised: a path that
 * one reader would clean up and another would not (dot segments, empty segments, encoded slashes, double encoding,
 * control characters) is no route here, so that what was matched is what the service sees.
 */
export const segmentsOf = (path: string): readonly string[] | undefined => {
  if (!path.startsWith('/') || path.length > PATH_LENGTH_MAX) return undefined;
  if (path === '/') return [];
  const segments: string[] = [];
  for (const raw of path.slice(1).split('/')) {
    const segment = decodedSegment(raw);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return segments;
};

const PATH_LENGTH_MAX = 2_000;
/** RFC 3986 §3.3 pchar without percent. */
const PLAIN = /^[\w.~!$&'()*+,;=:@-]+$/;
/** After one decoding there is no separator, no percent (a second encoding), and nothing that cannot be seen. */
const FORBIDDEN = /[/\\%\p{Cc}\p{Cf}\p{Cs}]/u;

const decodedSegment = (raw: string): string | undefined => {
  const segment = PLAIN.test(raw) ? raw : percentDecoded(raw);
  if (segment === undefined || segment === '' || FORBIDDEN.test(segment)) return undefined;
  // A segment of dots only is a way up to some readers; so is one with a parameter behind it (`..;`).
  return /^\.+(;|$)/.test(segment) ? undefined : segment;
};

const percentDecoded = (raw: string): string | undefined => {
  if (!/^(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$/.test(raw)) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
};

/** The path again, each segment encoded in the one way. */
export const pathFrom = (segments: readonly string[]): string => `/${segments.map(encodeURIComponent).join('/')}`;
