/** An IP address or network as a number: what is compared, and one way of writing each. */
export interface Network {
  readonly version: 4 | 6;
  readonly bits: bigint;
  /** How many of the leading bits count; all of them for an address. */
  readonly prefix: number;
}

const LENGTH = { 4: 32, 6: 128 } as const;
const HOLDER_PREFIX = { 4: 32, 6: 64 } as const;
const GROUP = 0xffffn;
/** ::ffff:0:0/96 (RFC 4291 §2.5.5.2): an IPv4 address as an IPv6 socket shows it. */
const MAPPED = 0xffffn;

const v4Bits = (text: string): bigint | undefined => {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const octets = text.split('.').map(Number);
  return octets.every((octet) => octet <= 255)
    ? octets.reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n)
    : undefined;
};

/** The 16-bit groups of one side of `::`; a dotted end counts as two. */
const groupsOf = (text: string): readonly bigint[] | undefined => {
  if (text === '') return [];
  const groups: bigint[] = [];
  for (const part of text.split(':')) {
    const dotted = part.includes('.') ? v4Bits(part) : undefined;
    if (dotted !== undefined) groups.push(dotted >> 16n, dotted & GROUP);
    else if (/^[0-9a-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
};

const v6Bits = (text: string): bigint | undefined => {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const [head, tail] = [groupsOf(sides[0] ?? ''), groupsOf(sides[1] ?? '')];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const zeros = Array.from({ length: missing }, () => 0n);
  return [...head, ...zeros, ...tail].reduce((bits, group) => (bits << 16n) | group, 0n);
};

const addressOf = (text: string): Network | undefined => {
  const four = v4Bits(text);
  if (four !== undefined) return { version: 4, bits: four, prefix: 32 };
  const six = text.includes(':') ? v6Bits(text) : undefined;
  if (six === undefined) return undefined;
  return six >> 32n === MAPPED
    ? { version: 4, bits: six & 0xffff_ffffn, prefix: 32 }
    : { version: 6, bits: six, prefix: 128 };
};

/** An address, or a network with its prefix length; undefined when the text is neither. */
export const networkOf = (text: string): Network | undefined => {
  const [address = '', length, ...rest] = text.toLowerCase().split('/');
  const network = addressOf(address);
  if (network === undefined || rest.length > 0) return undefined;
  if (length === undefined) return network;
  if (!/^\d{1,3}$/.test(length) || Number(length) > LENGTH[network.version]) return undefined;
  const prefix = Number(length);
  const hostBits = BigInt(LENGTH[network.version] - prefix);
  return { version: network.version, bits: (network.bits >> hostBits) << hostBits, prefix };
};

export const contains = (network: Network, address: Network): boolean => {
  if (network.version !== address.version || network.prefix > address.prefix) return false;
  const hostBits = BigInt(LENGTH[network.version] - network.prefix);
  return network.bits >> hostBits === address.bits >> hostBits;
};

/**
 * Whoever is behind an address: of IPv6 the /64, for that is what one line or one machine gets (RFC 6177, RFC 7934) and may take
 * its addresses from, a new one for each payment if it likes.
 */
export const holderOf = (address: Network): Network => {
  const hostBits = BigInt(LENGTH[address.version] - HOLDER_PREFIX[address.version]);
  if (address.prefix < HOLDER_PREFIX[address.version]) return address;
  return { ...address, bits: (address.bits >> hostBits) << hostBits, prefix: HOLDER_PREFIX[address.version] };
};

/** One text for each network; an IPv6 address without `::`, which Postgres and people read too. */
export const textOfNetwork = ({ version, bits, prefix }: Network): string => {
  const parts =
    version === 4
      ? [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join('.')
      : Array.from({ length: 8 }, (_, group) => ((bits >> BigInt(112 - 16 * group)) & GROUP).toString(16)).join(':');
  return prefix === LENGTH[version] ? parts : `${parts}/${String(prefix)}`;
};
