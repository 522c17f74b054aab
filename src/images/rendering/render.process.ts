import { serveJobs } from '../../platform/processes/serve-jobs.js';
import type { RenderOutcome, RenderRequest } from './render-request.js';

/** What a decoder process does. The decoders are loaded with the first photo. */
const methods = {
  render: async (request: RenderRequest): Promise<RenderOutcome> => (await import('./render.js')).render(request),
};

export type RenderMethods = typeof methods;

serveJobs(methods);
