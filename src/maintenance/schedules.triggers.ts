import { sweepBlobs } from '../images/index.js';
import { defineSchedule, retention } from '../tasks/index.js';
import { findMissingWork } from './tasks/find-missing-work.task.js';

/** At an hour when people sleep, and clocks of most zones do not change. */
export const nightlyMissingWork = defineSchedule({
  name: 'nightly missing work',
  description: 'Finds new and changed photos in every catalogue and makes what is missing of them.',
  task: findMissingWork,
  input: {},
  cron: '30 3 * * *',
});

/** Long enough for whatever was about to name a file again. */
const UNUSED_FOR_MS = 86_400_000;

export const weeklyFileSweep = defineSchedule({
  name: 'weekly sweep of thumbnails',
  description: 'Deletes the files of thumbnails that nothing has named for a day.',
  task: sweepBlobs,
  input: { min_age_ms: UNUSED_FOR_MS },
  cron: '30 4 * * sun',
});

export const nightlyRetention = defineSchedule({
  name: 'nightly retention',
  description: 'Removes finished tasks that have been kept as long as their type and outcome say.',
  task: retention,
  input: {},
  cron: '30 2 * * *',
});
