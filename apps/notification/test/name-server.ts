import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

const TYPES: Readonly<Record<number, 4 | 6>> = { 1: 4, 28: 6 };
const HEADER_BYTES = 12;
/** Response, recursion available. */
const ANSWERED = 0x8180;
const NO_SUCH_NAME = 3;
/** A pointer to the name of the question, which begins behind the header. */
const NAME_OF_QUESTION = 0xc0_0c;
const TTL_SECONDS = 60;

/** The IPv4 and IPv6 addresses of a name; undefined: there is no such name; `silent`: no answer, ever. */
export type Names = (name: string) => readonly string[] | 'silent' | undefined;

/** A name server on the loopback (RFC 1035, over UDP) that knows what a test tells it. */
export class NameServer {
  /** Each question that came: a name twice, for its IPv4 and its IPv6 addresses. */
  readonly asked: string[] = [];

  private constructor(
    private readonly socket: Socket,
    private readonly names: Names,
  ) {}

  static async open(names: Names): Promise<NameServer> {
    const socket = createSocket('udp4');
    const server = new NameServer(socket, names);
    socket.on('message', (question, sender) => {
      server.answer(question, sender);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return server;
  }

  /** As `Resolver.setServers` wants it. */
  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }

  private answer(message: Buffer, { port, address }: RemoteInfo): void {
    const { name, type, question } = questionOf(message);
    this.asked.push(name);
    const known = this.names(name);
    if (known === 'silent') return;
    const records = (known ?? []).filter((one) => (one.includes(':') ? 6 : 4) === TYPES[type]);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt16BE(message.readUInt16BE(0), 0);
    header.writeUInt16BE(known === undefined ? ANSWERED | NO_SUCH_NAME : ANSWERED, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    this.socket.send(Buffer.concat([header, question, ...records.map((one) => recordOf(one, type))]), port, address);
  }
}

const questionOf = (message: Buffer): { readonly name: string; readonly type: number; readonly question: Buffer } => {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return {
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(at + 1),
    // Behind the name stand the type and the class.
    question: message.subarray(HEADER_BYTES, at + 1 + 4),
  };
};

const recordOf = (address: string, type: number): Buffer => {
  const bytes = address.includes(':') ? bytesOfIpv6(address) : Buffer.from(address.split('.').map(Number));
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(NAME_OF_QUESTION, 0);
  fixed.writeUInt16BE(type, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(TTL_SECONDS, 6);
  fixed.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([fixed, bytes]);
};

/** Of `64:ff9b::7f00:1` the sixteen bytes. */
const bytesOfIpv6 = (address: string): Buffer => {
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
};
