import { describe, expect, it } from '@jest/globals';

import { runInContext } from './context.js';
import { createLogger } from './log.js';

const logged = (write: (logger: ReturnType<typeof createLogger>) => void): string => {
  const lines: string[] = [];
  write(createLogger('payment', { LOG_LEVEL: 'info' }, { write: (line) => void lines.push(line) }));
  return lines.join('');
};

describe('the log', () => {
  it('is JSON lines with the ids of the context', () => {
    const context = { requestId: 'req_1', correlationId: 'req_0', paymentId: 'pay_1', eventId: 'evt_1' };
    const line = logged((logger) => {
      runInContext(context, () => {
        logger.info({ amount: 5 }, 'captured');
      });
    });
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      service: 'payment',
      msg: 'captured',
      amount: 5,
      ...context,
    });
  });

  it.each([
    { password: 'hunter2' },
    { headers: { authorization: 'Bearer hunter2', cookie: 'hunter2' } },
    { config: { clientSecret: 'a"hunter2' }, card: { cvc: 'hunter2', deeper: [{ Password: 'hunter2' }] } },
    { message: 'postgres://payflow:hunter2@127.0.0.1:5432/payflow', note: 'eyJhunter2.eyJhunter2.hunter2' },
    { err: Object.assign(new Error('failed'), { parameters: [['hunter2'], 1] }) },
  ])('hides secrets that are logged by mistake: %j', (fields) => {
    const line = logged((logger) => {
      logger.info(fields, 'oops');
    });
    expect(line).not.toContain('hunter2');
  });

  it('stays JSON when it hides something', () => {
    const line = logged((logger) => {
      logger.info({ token: 'tok_1', password: 'a"},{"b', number: 4_242, after: true }, 'masked');
    });
    expect(JSON.parse(line)).toMatchObject({ token: '[redacted]', number: '[redacted]', after: true, msg: 'masked' });
  });

  it('hides card numbers in messages, fields, keys and errors', () => {
    const line = logged((logger) => {
      logger.error(
        { err: new Error('4242424242424242'), deep: [{ a: { '4242 4242 4242 4242': 1 } }] },
        '4242424242424242',
      );
      logger.error({ query: 'number=4242424242424242&x=1', digits: 4242424242424242 }, 'x');
    });
    expect(line).not.toMatch(/4242 ?4242/);
  });
});
