import type { Service } from '../../src/api/types';
import { ago } from './data';
import type { Engine } from './engine';

export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  ifMatch: string | undefined;
  parameters: Record<string, string>;
}

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: unknown = {},
  ) {
    super(message);
  }
}

export type Handler = (request: Request, engine: Engine) => unknown;
export type Route = [method: string, template: string, handler: Handler];

export const page = <T>(items: T[], query: URLSearchParams) => {
  const limit = Number(query.get('limit') ?? 50);
  const from = Number(query.get('cursor') ?? 0);
  const part = items.slice(from, from + limit);
  return {
    items: part,
    next_cursor: from + limit < items.length ? String(from + limit) : undefined,
    total_estimate: items.length,
    gaps: [],
  };
};

export function serviceOf({ parameters }: Request, engine: Engine): Service {
  const { project, environment, service } = parameters;
  const found = engine.world.services.find(
    (each) => each.project === project && each.environment === environment && each.name === service,
  );
  if (!found)
    throw new Refusal(404, 'not_found', `there is no service ${service} in ${project}/${environment}`);
  return found;
}

export function guard(service: { version: number }, ifMatch: string | undefined): void {
  if (!ifMatch) throw new Refusal(428, 'precondition_required', 'the header If-Match is missing');
  if (ifMatch !== `"${service.version}"`) {
    throw new Refusal(
      409,
      'version_conflict',
      `it was changed meanwhile: this is version ${service.version}`,
      {
        current_version: service.version,
        changed_by: 'lin',
        changed_at: ago(40),
        changed_fields: ['replicas'],
      },
    );
  }
}

export const SERVICE = '/projects/{project}/environments/{environment}/services/{service}';
export const POD = '/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}';
