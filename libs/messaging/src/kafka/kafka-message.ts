import type { IHeaders, KafkaMessage } from 'kafkajs';

import type { Headers, RawMessage } from '../message.js';

export const rawMessageOf = (
  message: KafkaMessage,
  place: { readonly topic: string; readonly partition: number },
): RawMessage => ({
  ...place,
  offset: BigInt(message.offset),
  key: message.key,
  value: message.value,
  headers: textHeaders(message.headers ?? {}),
});

/** The first value of each header as text. What Postgres cannot store (a NUL) is left out: no header decides anything. */
const textHeaders = (headers: IHeaders): Headers =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      const text = typeof first === 'string' ? first : first?.toString('utf8');
      return text === undefined || `${name}${text}`.includes('\0') ? [] : [[name, text]];
    }),
  );
