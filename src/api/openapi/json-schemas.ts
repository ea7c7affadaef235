import { z } from 'zod';
import { JSON_FORMS } from '../schemas.ts';

type Json = Record<string, unknown>;
type Io = 'input' | 'output';

/** JSON Schemas of zod schemas; those with an id are kept once, as components, and referred to. */
export class JsonSchemas {
  readonly components: Record<string, Json> = {};

  /**
   * @param io whether it is what a client sends or what it gets: defaults make a difference.
   * @throws Error where one id stands for two different schemas.
   */
  of(schema: z.ZodType, io: Io): Json {
    // Within a list even a schema with an id of its own comes out as a reference.
    const { items, $defs } = z.toJSONSchema(z.array(schema), {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        const given = JSON_FORMS.get(zodSchema);
        if (given) Object.assign(clear(jsonSchema), given.form);
        // A client must bear members that later versions add to answers.
        if (io === 'output' && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties;
        delete jsonSchema.id;
      },
    }) as { items: Json; $defs?: Record<string, Json> };
    for (const [id, definition] of Object.entries($defs ?? {})) this.#keep(id, relocate(definition));
    return relocate(items);
  }

  #keep(id: string, definition: Json): void {
    const known = this.components[id];
    if (known && JSON.stringify(known) !== JSON.stringify(definition)) {
      throw new Error(`schema id ${id}: expected one schema; found two that differ`);
    }
    this.components[id] = definition;
  }
}

function clear(schema: object): Json {
  const json = schema as Json;
  for (const name of Object.keys(json)) {
    if (name !== 'description' && name !== 'default') delete json[name];
  }
  return json;
}

/** References into a schema's own definitions, as references to the document's components. */
function relocate(schema: Json): Json {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text);
}
