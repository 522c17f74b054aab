import { Module } from '@nestjs/common';
import { TasksModule } from '../tasks.module.js';
import { WebhookDispatcher } from './webhook-dispatcher.js';

/** Delivers for webhooks in this process, from its start to its end. Not for commands, which come and go. */
@Module({ imports: [TasksModule], providers: [WebhookDispatcher] })
export class WebhookDispatchModule {}
