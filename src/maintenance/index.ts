/**
 * What PhotoSafe does by itself to keep libraries and itself in order, each kind a task and a schedule.
 *
 * - **missing work**: whatever a rebuild of a catalogue would do.
 */
export { MaintenanceModule } from './maintenance.module.js';
