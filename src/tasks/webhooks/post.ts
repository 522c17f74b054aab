import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent as HttpAgent, type OutgoingHttpHeaders, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Settings } from '../../platform/config/settings.js';
import { TransientError } from '../retry-policy.js';
import { forbiddenAddress, guardedLookup, isAllowedAddress, literalOf, type Networks } from './destination.js';

/** For the whole exchange. Smaller gives up on receivers that work before they answer; larger lets one that hangs wait. */
const ANSWER_MS = 15_000;
/** A receiver's answer says nothing but its status; so much of it is read, so that the connection can be used again. */
const MOST_READ_BYTES = 65_536;
const AGENT_OPTIONS = { keepAlive: true, keepAliveMsecs: 10_000, timeout: 30_000, maxFreeSockets: 200 };

export interface Posted {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/** Sends to receivers, whoever they may be: never follows a redirect, reads little, waits not long. */
@Injectable()
export class Poster implements OnApplicationShutdown {
  answerMs = ANSWER_MS;
  private readonly agents = { 'http:': new HttpAgent(AGENT_OPTIONS), 'https:': new HttpsAgent(AGENT_OPTIONS) };

  private readonly networks: Networks;

  constructor({ webhookNetworks }: Settings) {
    this.networks = webhookNetworks;
  }

  /** Rejects when there is no answer: with the system's error, an AbortError, a TransientError `timeout`, or a PermanentError `address_not_allowed`. */
  post(
    url: URL,
    { headers, body }: { headers: OutgoingHttpHeaders; body: string },
    signal: AbortSignal,
  ): Promise<Posted> {
    const literal = literalOf(url);
    if (literal !== undefined && !isAllowedAddress(literal, this.networks))
      return Promise.reject(forbiddenAddress(literal));
    const isHttps = url.protocol === 'https:';
    const bytes = Buffer.from(body);
    const tooLong = AbortSignal.timeout(this.answerMs);
    const options: RequestOptions = {
      method: 'POST',
      agent: this.agents[isHttps ? 'https:' : 'http:'],
      lookup: guardedLookup(this.networks),
      headers: { ...headers, 'content-length': bytes.length },
      signal: AbortSignal.any([signal, tooLong]),
    };
    return new Promise((resolve, reject) => {
      const request = (isHttps ? httpsRequest : httpRequest)(url, options, (response) => {
        let read = 0;
        response.on('data', (chunk: Buffer) => {
          read += chunk.length;
          if (read > MOST_READ_BYTES) response.destroy();
        });
        response.on('error', () => undefined);
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
      });
      // Nobody asked for another protocol. Without a word about it here Node drops the connection and tells nobody.
      request.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode ?? 0, retryAfter: undefined });
      });
      request.on('error', (error) => {
        reject(tooLong.aborted ? new TransientError('timeout', `no answer within ${String(this.answerMs)} ms`) : error);
      });
      request.end(bytes);
    });
  }

  onApplicationShutdown(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }
}
