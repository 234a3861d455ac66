import { z } from 'zod';

import { PROBLEMS, type ProblemCode } from '../problems.js';

/** RFC 9457 problem document, media type `application/problem+json`. Members beyond these are named by the code's page. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'URL of the page that explains the code.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
    requestId: z.string(),
    docUrl: z.string(),
  })
  .loose()
  .meta({ id: 'Problem' });

export type ProblemDocument = z.infer<typeof problemSchema>;
