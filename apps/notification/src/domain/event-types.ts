import { MERCHANT_EVENT_TYPES, type MerchantEventType } from '@payflow/contracts';

/** The type of an event without the version of its payload: `payment.captured` of `payment.captured.v1`. */
export const typeWithoutVersion = (type: string): { readonly type: string; readonly version: number } => {
  const [, name = type, version = '1'] = /^(.+)\.v(\d+)$/.exec(type) ?? [];
  return { type: name, version: Number(version) };
};

/** Whether merchants are told of it at all. */
export const isForMerchants = (type: string): type is MerchantEventType =>
  (MERCHANT_EVENT_TYPES as readonly string[]).includes(type);

/** Whether an endpoint with these types, groups (`payment.*`) or `*` is told of it. */
export const isWanted = (wanted: readonly string[], type: string): boolean =>
  wanted.some((one) => one === '*' || one === type || (one.endsWith('.*') && type.startsWith(one.slice(0, -1))));

/** All that an endpoint is told of. */
export const wantedTypes = (wanted: readonly string[]): readonly MerchantEventType[] =>
  MERCHANT_EVENT_TYPES.filter((type) => isWanted(wanted, type));
