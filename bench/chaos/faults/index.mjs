import { clockJump } from './clock-jump.mjs';
import { fullDisk } from './full-disk.mjs';
import { cutOff, drop, halfOpen } from './network.mjs';
import { databaseKill, databaseRestart } from './database.mjs';
import { kill, pause } from './processes.mjs';

/**
 * What can go wrong. `strike` does it and mends it again, and gives when those who suffered could have recovered from and who
 * they were (leases of workers; undefined: all). `missing` says why it cannot be done here. `weight`: how often it is chosen.
 * `everybody`: it is the database's, not one worker's.
 */
export const FAULTS = [kill, pause, drop, halfOpen, cutOff, databaseKill, databaseRestart, clockJump, fullDisk];
