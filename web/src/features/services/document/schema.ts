import schemas from '@/api/new-service.schema.json';

/** The part of JSON Schema that the platform's OpenAPI document uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  oneOf?: Schema[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

const DEFINITIONS = schemas as unknown as Record<string, Schema>;

export function resolve(schema: Schema): Schema {
  if (!schema.$ref) return schema;
  const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  return resolve(DEFINITIONS[name] ?? {});
}

const whole = DEFINITIONS.NewService ?? {};

/** The body that creates a service. */
export const CREATE_SCHEMA: Schema = whole;

/** What of a service can be changed: the rest is in its address or told when it is saved. */
export const EDIT_SCHEMA: Schema = {
  ...whole,
  required: ['spec'],
  properties: Object.fromEntries(
    Object.entries(whole.properties ?? {}).filter(([name]) => !['name', 'kind', 'comment'].includes(name)),
  ),
};
