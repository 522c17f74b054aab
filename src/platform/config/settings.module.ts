import { Global, Module, type DynamicModule } from '@nestjs/common';
import { loadSettings } from './load-settings.js';
import { Settings } from './settings.js';

/** Gives every module the {@link Settings}. */
@Global()
@Module({})
export class SettingsModule {
  /** With `settings` those, else the ones of this process. */
  static forRoot(settings: Settings = loadSettings()): DynamicModule {
    return { module: SettingsModule, providers: [{ provide: Settings, useValue: settings }], exports: [Settings] };
  }
}
