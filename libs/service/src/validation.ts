import type { FieldError } from '@payflow/contracts';
import { type ArgumentMetadata, Injectable, type PipeTransform, StandardSchemaValidationPipe } from '@nestjs/common';
import { z } from 'zod';

import { pointerOf } from './json-body.js';
import { Problem } from './problem.js';

type Issue = z.core.$ZodIssue;
/** Where a value stood in the request. */
export type Place = 'body' | 'query' | 'param';

const ERRORS_MAX = 50;

/**
 * Nest's pipe for `@Body({ schema })`, `@Query({ schema })` and `@Param({ schema })`, with failures as `validation_failed`.
 * A missing body is `{}`, so that POST without a body works where nothing in it is required.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.schema === undefined) return value;
    const place = metadata.type === 'custom' ? 'body' : metadata.type;
    const parent = metadata.data === undefined ? [] : [metadata.data];
    const pipe = new FaithfulPipe({
      exceptionFactory: (issues) => validationProblem(issues as unknown as readonly Issue[], place, parent),
    });
    return await pipe.transform(value === undefined && place === 'body' ? {} : value, metadata);
  }
}

/** Nest's pipe drops members named `constructor` or `prototype` in silence; here the schema decides, and refuses. */
class FaithfulPipe extends StandardSchemaValidationPipe {
  protected override stripProtoKeys(): void {
    // `__proto__` never comes this far: the body parsers refuse it.
  }
}

/** What a schema found wrong, as the caller sees it: never the value itself, which may be a card number. */
export const validationProblem = (
  issues: readonly Issue[],
  place: Place = 'body',
  parent: readonly PropertyKey[] = [],
): Problem =>
  new Problem('validation_failed', {
    errors: issues.flatMap((issue) => fieldErrors(issue, place, parent)).slice(0, ERRORS_MAX),
  });

/** Checks a value against a schema as the pipe does, for values that come by another way than a decorator. */
export const validated = <Schema extends z.ZodType>(schema: Schema, value: unknown, place: Place): z.output<Schema> => {
  const result = schema.safeParse(value);
  if (!result.success) throw validationProblem(result.error.issues, place);
  return result.data;
};

const fieldErrors = (issue: Issue, place: Place, parent: readonly PropertyKey[]): readonly FieldError[] => {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: locationOf([...path, key], place),
      code: 'unknown_field',
      message: 'is not a known field',
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return nearest(issue.errors).flatMap((inner) => fieldErrors(inner, place, path));
  }
  const code = codeOf(issue);
  const message = code === 'required' ? 'is required' : issue.message;
  return [{ pointer: locationOf(path, place), code, message }];
};

/** Of the ways in which a value could have been right, the one it was meant to be: fewest foreign keys, and the right type. */
const nearest = (choices: readonly (readonly Issue[])[]): readonly Issue[] =>
  choices.reduce((best, choice) => (strangeness(choice) < strangeness(best) ? choice : best));

const strangeness = (issues: readonly Issue[]): number =>
  issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + issue.keys.length;
    return issue.code === 'invalid_type' && issue.path.length === 0 ? sum + 1 : sum;
  }, 0);

const locationOf = (path: readonly PropertyKey[], place: Place): string => {
  switch (place) {
    case 'body':
      return pointerOf(path);
    case 'query':
      return `?${path.map(String).join('.')}`;
    case 'param':
      return `path:${path.map(String).join('.')}`;
  }
};

/** A schema may name its own code (`params: { code }` of a refinement); the others are Zod's. */
const codeOf = (issue: Issue): string => {
  if (issue.code === 'custom' && typeof issue.params?.['code'] === 'string') return issue.params['code'];
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'required';
  return issue.code;
};
