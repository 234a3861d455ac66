/** The name of the journal in its checkpoints, where nobody has given it another: the audit knows it too. */
export const CHECKPOINT_ORIGIN = 'payflow.example/ledger';
