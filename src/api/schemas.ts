import { z } from 'zod';
import { Id } from '../protocol/ids.ts';

/** How a schema that reads text stands in the OpenAPI document, where its JSON Schema would be that of the text. */
export const JSON_FORMS = z.registry<{ form: Record<string, unknown> }>();

export const JobParams = z.object({ id: Id.describe('The job_id that POST /schedule returned.') });

/** For calls without query parameters. */
export const NoQuery = z.strictObject({});

/** A whole number in a query. */
export function wholeNumber(low: number, high: number) {
  const error = `expected a whole number from ${low} to ${high}`;
  const schema = z
    .string()
    .regex(/^\d{1,15}$/, error)
    .transform(Number)
    .refine((value) => value >= low && value <= high, { error });
  return shownAs(schema, { type: 'integer', minimum: low, maximum: high });
}

/** A whole number in a query that may be left out. */
export const wholeNumberOr = (fallback: number, low: number, high: number) =>
  shownAs(wholeNumber(low, high).default(fallback), {
    type: 'integer',
    minimum: low,
    maximum: high,
    default: fallback,
  });

const FLAG = { type: 'string', enum: ['1', 'true', '0', 'false'] };

/** `1` or `true` and `0` or `false` in a query. */
export const flag = () =>
  shownAs(z.stringbool({ truthy: ['1', 'true'], falsy: ['0', 'false'], error: 'expected 1 or 0' }), FLAG);

/** A flag that is off unless it is given. */
export const flagOff = () => shownAs(flag().default(false), { ...FLAG, default: '0' });

function shownAs<T extends z.ZodType>(schema: T, form: Record<string, unknown>): T {
  JSON_FORMS.add(schema, { form });
  return schema;
}

/** A parameter that may be repeated. */
export function repeated<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(item).max(20).optional(),
  );
}
