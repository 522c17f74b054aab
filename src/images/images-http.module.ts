import { Module } from '@nestjs/common';
import { TasksModule } from '../tasks/index.js';
import { ImagesController } from './images.controller.js';
import { ImagesModule } from './images.module.js';

/** Images over HTTP. Apart from {@link ImagesModule}, which workers and commands use without any of this. */
@Module({ imports: [ImagesModule, TasksModule], controllers: [ImagesController] })
export class ImagesHttpModule {}
