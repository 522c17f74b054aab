import { PinoLogger } from './pino-logger.js';

/** Where Nest tells of each module and route at every start. */
const TALKATIVE = ['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication'];

/** What Nest says about its own start goes to `debug`: a start is worth the lines that PhotoSafe itself writes. */
export class QuietStartLogger extends PinoLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (TALKATIVE.includes(String(rest.at(-1)))) super.debug(message, ...rest);
    else super.log(message, ...rest);
  }
}
