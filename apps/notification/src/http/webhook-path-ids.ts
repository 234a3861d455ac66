import { isId } from '@payflow/kernel';
import { Problem } from '@payflow/service';

/** What cannot be an id of ours names nothing, like an id nobody was given. */
export const endpointIdOf = (text: string): string => {
  if (!isId('we', text)) throw new Problem('webhook_endpoint_not_found');
  return text;
};

export const deliveryIdOf = (text: string): string => {
  if (!isId('del', text)) throw new Problem('webhook_delivery_not_found');
  return text;
};

export const eventIdOf = (text: string): string => {
  if (!isId('evt', text)) throw new Problem('event_not_found');
  return text;
};
