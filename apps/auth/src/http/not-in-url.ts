import { Problem } from '@payflow/service';

/** Names and passwords in a URL are refused, not read: URLs stand in the logs and histories of every machine on the way. */
export const refuseFieldsInUrl = (query: Readonly<Record<string, unknown>>): void => {
  const fields = Object.keys(query);
  if (fields.length === 0) return;
  throw new Problem('validation_failed', {
    detail: 'Send the fields in the body: passwords do not belong in URLs.',
    errors: fields.map((field) => ({ pointer: `?${field}`, code: 'not_in_url', message: 'belongs in the body' })),
  });
};
