export class LivenessDto {
  /** Always `ok`: a process that cannot say so does not answer. */
  status: 'ok';
}

export class ReadinessDto {
  status: 'ready' | 'unavailable';
  /** Why it is unavailable. */
  reason?: string;
  /** What it does without just now, though it is ready: `redis: …`. */
  degraded?: string[];
}
