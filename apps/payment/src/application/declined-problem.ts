import { Problem } from '@payflow/service';

import type { Failure } from '../domain/payment.js';

/** The acquirer's no to a capture or a cancel: nothing changed, so the caller must not take it for done. */
export const declinedProblem = (code: 'capture_declined' | 'cancel_declined', failure: Failure | null): Problem =>
  new Problem(code, {
    ...(failure === null ? {} : { detail: failure.message }),
    extensions: { declineCode: failure?.declineCode ?? null, adviceCode: failure?.adviceCode ?? null },
  });
