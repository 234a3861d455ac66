import { describe, expect, it } from '@jest/globals';

import { PoisonError } from '../message.js';
import { describeFailure, UnreadableError } from './failure.js';
import { isHopeless } from './set-aside.js';
import { MESSAGING_DEFAULTS } from '../settings.js';

describe('what operators read of a failure', () => {
  it('has the place in the code where a handler failed', () => {
    expect(describeFailure(new Error('no account')).errorLine).toMatch(/^Error: no account at .*failure\.spec/);
    expect(describeFailure(new PoisonError('never')).errorLine).toMatch(/^PoisonError: never at /);
  });

  it('is the same for an unreadable message at first and after a replay, so that its cause stays one group', () => {
    const error = new UnreadableError('the value is not JSON');
    expect(describeFailure(error)).toEqual({ reason: 'the value is not JSON', errorLine: 'the value is not JSON' });
    expect(isHopeless(error, 1, MESSAGING_DEFAULTS)).toBe(true);
  });
});
