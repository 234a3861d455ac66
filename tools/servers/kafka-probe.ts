import { connect } from 'node:net';

const TIMEOUT_MS = 2_000;
const METADATA_KEY = 3;
/** The last version with plain fields (KIP-482 makes them compact from version 9 on), and one that Kafka 4 still speaks. */
const METADATA_VERSION = 8;
const CORRELATION_ID = 1;

/**
 * Asks a broker for the cluster's metadata, in the wire protocol itself: the tools run before any Kafka client is
 * built. A broker that accepts connections may still be joining its cluster, so the answer must name a broker.
 */
export const brokerAnswers = async (port: number, host = '127.0.0.1'): Promise<boolean> =>
  await new Promise((resolve) => {
    const socket = connect({ port, host });
    let received = Buffer.alloc(0);
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIMEOUT_MS, () => {
      finish(false);
    });
    socket.once('error', () => {
      finish(false);
    });
    socket.once('close', () => {
      finish(false);
    });
    socket.once('connect', () => socket.write(metadataRequest()));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      finish(namesABroker(received));
    });
  });

const metadataRequest = (): Buffer => {
  const body = Buffer.alloc(17);
  body.writeInt16BE(METADATA_KEY, 0);
  body.writeInt16BE(METADATA_VERSION, 2);
  body.writeInt32BE(CORRELATION_ID, 4);
  body.writeInt16BE(-1, 8); // client id: null
  body.writeInt32BE(0, 10); // topics: none
  // Then three booleans, all false: auto-creation, cluster operations, topic operations.
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
};

/** size, correlation id, throttle time, then the array of brokers. */
const namesABroker = (response: Buffer): boolean =>
  response.length >= 16 && response.readInt32BE(4) === CORRELATION_ID && response.readInt32BE(12) > 0;
