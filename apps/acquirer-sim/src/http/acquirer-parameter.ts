import { Problem } from '@payflow/service';

import { type AcquirerName, isAcquirer } from '../domain/acquirers.js';

/** @throws Problem resource_not_found */
export const acquirerNamed = (name: string): AcquirerName => {
  if (!isAcquirer(name)) throw new Problem('resource_not_found', { detail: 'Unknown acquirer.' });
  return name;
};
