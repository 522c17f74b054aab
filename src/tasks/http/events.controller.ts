import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Authenticator, Roles } from '../../access/index.js';
import { STREAM_HEADERS } from '../events/event-stream.js';
import { EventStreams } from '../events/event-streams.js';
import { FollowEventsDto, toEventFilter } from './dto/follow-events.dto.js';

@ApiTags('events')
@Controller('events')
@Roles('viewer')
export class EventsController {
  constructor(
    private readonly streams: EventStreams,
    private readonly authenticator: Authenticator,
  ) {}

  /**
   * What happens to tasks, as server-sent events: each change of a status, from the moment of the answer on, or from
   * `Last-Event-ID` on, without a gap or a repetition. docs/events.md describes them.
   */
  @Get()
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The last `id:` of a stream that was cut: goes on behind it.',
  })
  @ApiOkResponse({
    description: 'Events, for as long as both sides want.',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  })
  async followEvents(
    @Query() query: FollowEventsDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (request.method === 'HEAD') {
      response.writeHead(200, STREAM_HEADERS).end();
      return;
    }
    const { authorization } = request.headers;
    const lastEventId = request.get('Last-Event-ID');
    await this.streams.serve(
      {
        filter: toEventFilter(query),
        progress: query.progress ?? false,
        ...(lastEventId !== undefined && lastEventId !== '' && { lastEventId }),
        authorize: () => this.authenticator.authenticate(authorization),
      },
      response,
    );
  }
}
