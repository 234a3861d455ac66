/**
 * The Merkle tree over the journal (docs/adr/0016): leaf n is the transaction at position n + 1. Append-only by privilege and by
 * trigger, as the journal is.
 */
export const TREE_SCHEMA = `
-- Perfect subtrees of 1, 16, 256 … leaves; those between are hashed again from at most eight of these. Level 0 has every leaf.
CREATE TABLE ledger_tree (
  level     smallint NOT NULL CHECK (level >= 0 AND level % 4 = 0),
  index     bigint NOT NULL CHECK (index >= 0),
  node_hash bytea NOT NULL CHECK (octet_length(node_hash) = 32),
  PRIMARY KEY (level, index)
);

-- What was signed: so many leaves under this root. The note holds both; they stand beside it to be looked for.
CREATE TABLE ledger_checkpoints (
  size      bigint PRIMARY KEY CHECK (size > 0),
  root_hash bytea NOT NULL CHECK (octet_length(root_hash) = 32),
  note      text NOT NULL,
  signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TRIGGER ledger_tree_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_tree
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE ledger_tree ENABLE ALWAYS TRIGGER ledger_tree_append_only;
ALTER TABLE ledger_checkpoints ENABLE ALWAYS TRIGGER ledger_checkpoints_append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_tree, ledger_checkpoints FROM payflow_ledger;
`;
