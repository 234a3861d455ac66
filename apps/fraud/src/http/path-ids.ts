import { type FraudListName, isFraudListName } from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Problem } from '@payflow/service';

/** What cannot be an id of ours names nothing, like an id nobody was given. */
export const reviewIdOf = (text: string): string => {
  if (!isId('frv', text)) throw new Problem('fraud_review_not_found');
  return text;
};

export const decisionIdOf = (text: string): string => {
  if (!isId('fd', text)) throw new Problem('fraud_decision_not_found');
  return text;
};

export const entryIdOf = (text: string): string => {
  if (!isId('fle', text)) throw new Problem('fraud_list_entry_not_found');
  return text;
};

export const listNameOf = (text: string): FraudListName => {
  if (!isFraudListName(text)) throw new Problem('fraud_list_not_found');
  return text;
};
