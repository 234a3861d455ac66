import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConfig, Logger } from '@payflow/service';

import type { Sender } from '../clients/sender.js';
import { SmsFile } from '../clients/sms-file.js';
import { SmtpSender } from '../clients/smtp-sender.js';
import type { Channel } from '../domain/message.js';
import type { NotificationConfig } from '../notification.config.js';

type SenderConfig = Pick<NotificationConfig, 'SMTP_URL' | 'MAIL_FROM' | 'SMS_SINK_FILE'>;

/** What is configured to send with. Without one, messages of the channel are kept and go nowhere. */
@Injectable()
export class Senders implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly byChannel: Readonly<Record<Channel, Sender | undefined>>;

  constructor(
    @InjectConfig() config: SenderConfig,
    private readonly logger: Logger,
  ) {
    const { SMTP_URL: smtpUrl, MAIL_FROM: from, SMS_SINK_FILE: smsFile } = config;
    this.byChannel = {
      email: smtpUrl === undefined ? undefined : new SmtpSender(smtpUrl, from),
      sms: smsFile === undefined ? undefined : new SmsFile(smsFile),
    };
  }

  of(channel: Channel): Sender | undefined {
    return this.byChannel[channel];
  }

  onApplicationBootstrap(): void {
    for (const [channel, sender] of Object.entries(this.byChannel)) {
      if (sender === undefined)
        this.logger.warn({ channel }, 'nothing to send messages with is configured: they are kept');
    }
  }

  async onApplicationShutdown(): Promise<void> {
    for (const sender of Object.values(this.byChannel)) await sender?.close();
  }
}
