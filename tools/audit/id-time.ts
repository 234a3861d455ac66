import { TypeID } from 'typeid-js';

const TIME_HEX_DIGITS = 12;

/** When an id was made: ids are UUIDv7, which begin with the time. Undefined for what is no id of ours. */
export const timeOfId = (id: string): Date | undefined => {
  try {
    return new Date(Number.parseInt(TypeID.fromString(id).toUUID().replaceAll('-', '').slice(0, TIME_HEX_DIGITS), 16));
  } catch {
    return undefined;
  }
};
