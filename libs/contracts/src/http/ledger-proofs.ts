import { z } from 'zod';

import { idSchema, timeSchema } from './shared-fields.js';

/** A hash of the ledger's Merkle tree (RFC 9162): 32 bytes in base 64. */
const hashSchema = z.base64().meta({ description: 'SHA-256, in base 64.' });
const sizeSchema = z.int().min(1).meta({ description: 'Leaves of a tree: one for each transaction of the journal.' });

const noteSchema = z.string().meta({
  description:
    'A signed note (c2sp.org/signed-note) whose text is a checkpoint (c2sp.org/tlog-checkpoint): origin, size, root in base 64.',
});
const verifierKeySchema = z.string().meta({
  description:
    "The public key as Go's sumdb/note writes it, `origin+hash+key`. Compare it with the one you were given before.",
});

const checkpointSchema = z
  .object({ size: sizeSchema, root: hashSchema, note: noteSchema, signedAt: timeSchema })
  .meta({ id: 'LedgerCheckpoint' });

const CHECKPOINTS_PER_PAGE_MAX = 100;

export const listCheckpointsQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(CHECKPOINTS_PER_PAGE_MAX).default(20),
  below: z.coerce
    .number()
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({ description: 'Only of trees smaller than this: the `size` of the last one of a page asks for the next.' }),
});
export type ListCheckpointsQuery = z.infer<typeof listCheckpointsQuerySchema>;

export const checkpointPageSchema = z
  .object({ verifierKey: verifierKeySchema, data: z.array(checkpointSchema) })
  .meta({ id: 'LedgerCheckpointPage' });
export type CheckpointPage = z.infer<typeof checkpointPageSchema>;

/** An entry or its transaction: the leaf is the transaction with all its entries. */
export const proofOfSchema = z.union([idSchema('le'), idSchema('ltx')]);

export const inclusionProofSchema = z
  .object({
    transactionId: z.string(),
    leafIndex: z.int().min(0),
    leaf: z.base64().meta({
      description:
        'What the leaf holds: the transaction with its entries, in the encoding of docs/adr/0016, in base 64.',
    }),
    proof: z.array(hashSchema).meta({ description: 'RFC 9162 §2.1.3, from the leaf upwards.' }),
    checkpoint: noteSchema,
    verifierKey: verifierKeySchema,
  })
  .meta({ id: 'LedgerInclusionProof' });
export type InclusionProofResponse = z.infer<typeof inclusionProofSchema>;

export const consistencyQuerySchema = z
  .strictObject({
    from: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
    to: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  })
  .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be below `from`' });
export type ConsistencyQuery = z.infer<typeof consistencyQuerySchema>;

export const consistencyProofSchema = z
  .object({
    from: sizeSchema,
    to: sizeSchema,
    proof: z.array(hashSchema).meta({ description: 'RFC 9162 §2.1.4.' }),
  })
  .meta({ id: 'LedgerConsistencyProof' });
export type ConsistencyProofResponse = z.infer<typeof consistencyProofSchema>;
