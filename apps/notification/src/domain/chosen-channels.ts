import { type Channel, isSecurityMessage, type MessageKind } from './message.js';

/** Where somebody is reached. */
export interface Addresses {
  readonly email: string | null;
  readonly phone: string | null;
}

/** What somebody has chosen: channels by kind of message. */
export type ChannelChoices = Readonly<Partial<Record<MessageKind, readonly Channel[]>>>;

/** Of somebody who has chosen nothing: a mail, or an SMS where there is no mail address. */
export const defaultChannels = ({ email, phone }: Addresses): readonly Channel[] =>
  email === null && phone !== null ? ['sms'] : ['email'];

/** Over which channels, and to which addresses, a message goes. None: it is not wanted, or there is no address. */
export const destinationsOf = (
  kind: MessageKind,
  addresses: Addresses,
  choices: ChannelChoices,
): readonly { readonly channel: Channel; readonly address: string }[] => {
  const chosen = isSecurityMessage(kind) ? undefined : choices[kind];
  return (chosen ?? defaultChannels(addresses)).flatMap((channel) => {
    const address = channel === 'email' ? addresses.email : addresses.phone;
    return address === null ? [] : [{ channel, address }];
  });
};
