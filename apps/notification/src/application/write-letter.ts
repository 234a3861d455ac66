import { Injectable } from '@nestjs/common';
import { sealedCodePlace } from '@payflow/contracts';
import { InjectConfig, unseal } from '@payflow/service';

import { type Channel, type Message, messageSchema } from '../domain/message.js';
import { type Letter, letterOf } from '../domain/templates.js';
import type { NotificationConfig } from '../notification.config.js';

/** A stored message, and for whom it is. */
export interface Stored {
  readonly message: unknown;
  readonly channel: Channel;
  readonly address: string;
  readonly recipientId: string;
  readonly username: string | null;
}

export interface Written extends Letter {
  readonly message: Message;
  readonly code: string | null;
}

/** Puts a stored message into words; a code is opened here and nowhere before. */
@Injectable()
export class WriteLetter {
  constructor(@InjectConfig() private readonly config: Pick<NotificationConfig, 'CODE_SEALING_KEY'>) {}

  /** @throws SealBrokenError for a code that was sealed under another key */
  run({ message: stored, channel, address, recipientId, username }: Stored): Written {
    const message = messageSchema.parse(stored);
    const code = 'codeSealed' in message ? this.open(message.codeSealed, address) : null;
    return { message, code, ...letterOf(message, channel, { code, account: username ?? recipientId }) };
  }

  /** @throws SealBrokenError */
  open(codeSealed: string, address: string): string {
    return unseal(Buffer.from(codeSealed, 'base64'), this.config.CODE_SEALING_KEY, sealedCodePlace(address));
  }
}
