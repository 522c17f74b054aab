import { Module } from '@nestjs/common';
import { TrailMarker } from './trail-marker.js';

/** Marks the audit trail in this process, from its start to its end. Not for commands, which come and go. */
@Module({ providers: [TrailMarker] })
export class TrailMarkerModule {}
