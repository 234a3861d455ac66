import { BlockList, isIP } from 'node:net';

/**
 * What is not on the public internet, or is not one receiver: IANA's special-purpose registries (RFC 6890) and what hides an
 * IPv4 address in an IPv6 one. Cloud metadata services are link-local (169.254.169.254, fd00:ec2::254) or, at one cloud,
 * 168.63.129.16 and at another 100.100.100.200, which is in the range of carriers' NAT.
 */
const FORBIDDEN: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', 3],
];

/** Of IPv6 only global unicast is public, and of that not what carries an IPv4 address or is set apart. */
const GLOBAL_UNICAST_IPV6 = ['2000::', 3] as const;
const FORBIDDEN_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  // IETF protocol assignments, Teredo (2001::/32) and ORCHID among them.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4.
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

const blocked = new BlockList();
for (const [network, prefix] of FORBIDDEN) blocked.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of FORBIDDEN_IPV6) blocked.addSubnet(network, prefix, 'ipv6');

const globalIpv6 = new BlockList();
globalIpv6.addSubnet(...GLOBAL_UNICAST_IPV6, 'ipv6');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether a webhook may go to this IP address. Text that is no address may not. */
export const isPublicAddress = (address: string): boolean => {
  switch (isIP(address)) {
    case 4:
      return !blocked.check(address, 'ipv4');
    case 6:
      // A scope (`fe80::1%eth0`) names an interface of this machine.
      return !address.includes('%') && globalIpv6.check(address, 'ipv6') && !blocked.check(address, 'ipv6');
    default:
      return false;
  }
};

/** Whether it is this machine. `::ffff:127.0.0.1` is not taken for it: nobody needs to write it so. */
export const isLoopbackAddress = (address: string): boolean => {
  const version = isIP(address);
  return version !== 0 && !address.startsWith('::ffff:') && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6');
};
