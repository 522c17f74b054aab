import type { StartedHttp } from './start-http.js';

/** The answer to a request, as far as tests look at it. */
export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

export interface ClaimedTask {
  readonly attempt_id: string;
  readonly task_id: string;
  readonly params: unknown;
  readonly checkpoint: unknown;
  readonly attempt: number;
  readonly version: number;
  readonly crash_count: number;
}

export interface ClaimAnswer {
  readonly attempts: ClaimedTask[];
  readonly lease_expires_at: string | null;
  readonly stopped: string[];
}

/** Where a point lies on a raster: the type that most tests use. */
export const SLOPE = {
  name: 'raster.slope',
  version: 1,
  title: 'Slope of a raster',
  input_schema: {
    type: 'object',
    properties: { tile: { type: 'integer', minimum: 0 }, unit: { enum: ['degrees', 'percent'] } },
    required: ['tile'],
    additionalProperties: false,
  },
  retry: { attempts: 3, first_delay_ms: 0, max_delay_ms: 0 },
  timeout_ms: 60_000,
  priority: 0,
};

/** External workers and those who give them work, over HTTP. */
export class ExternalHttp {
  constructor(private readonly http: StartedHttp) {}

  /** Declares a type that must be acceptable. */
  async declare(type: object = SLOPE): Promise<void> {
    const { status, body } = await this.tryToDeclare(type);
    if (status > 201) throw new Error(`not declared: ${JSON.stringify(body)}`);
  }

  tryToDeclare(type: object): Promise<Answer<Record<string, unknown>>> {
    return this.post('operator', '/api/external/types', type);
  }

  async enqueue(params: object = { tile: 1 }, more: object = {}): Promise<string> {
    const { status, body } = await this.create({ type: 'raster.slope', params, ...more });
    if (status !== 202) throw new Error(`not created: ${JSON.stringify(body)}`);
    return String(body.id);
  }

  create(body: object): Promise<Answer<Record<string, unknown>>> {
    return this.post('operator', '/api/tasks', body);
  }

  claim(more: object = {}): Promise<Answer<ClaimAnswer>> {
    const types = [{ name: 'raster.slope', versions: [1] }];
    return this.post('worker', '/api/external/claim', { types, wait_ms: 0, ...more });
  }

  /** The one task that a claim gives. */
  async claimOne(more: object = {}): Promise<ClaimedTask> {
    const { body } = await this.claim(more);
    const [only] = body.attempts;
    if (!only) throw new Error(`nothing was claimed: ${JSON.stringify(body)}`);
    return only;
  }

  attempt(id: string, verb: string, body: object | string = {}): Promise<Answer<Record<string, unknown>>> {
    return this.post('worker', `/api/external/attempts/${id}/${verb}`, body);
  }

  async task(id: string): Promise<Record<string, unknown>> {
    return (await this.http.as('viewer').get(`/api/tasks/${id}`)).body as Record<string, unknown>;
  }

  cancel(id: string): Promise<Answer<Record<string, unknown>>> {
    return this.post('operator', `/api/tasks/${id}/cancel`, {});
  }

  /** The audit trail: `from>to reason actor`. */
  async trail(id: string): Promise<string[]> {
    const { body } = await this.http.as('viewer').get(`/api/tasks/${id}/events`);
    const { items } = body as { items: Record<string, string | null>[] };
    return items.map(
      (event) => `${event.from ?? ''}>${String(event.to)} ${String(event.reason)} ${String(event.actor)}`,
    );
  }

  private async post<Body>(role: 'operator' | 'worker', path: string, body: object | string): Promise<Answer<Body>> {
    const answer = await this.http.as(role).post(path).set('content-type', 'application/json').send(body);
    return { status: answer.status, body: answer.body as Body };
  }
}
