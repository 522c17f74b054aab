import { connectionConfig, shownUrl } from './connection-config.js';

describe('the configuration of a connection', () => {
  it('merges what the URL says with what is asked for', () => {
    const config = connectionConfig('postgres://u:p@h/db?application_name=x&options=-c%20geqo%3Doff&sslmode=disable', {
      applicationName: 'photosafe',
      settings: { statement_timeout: '5s', 'a.b': 'two words' },
    });
    expect(config).toMatchObject({
      connectionString: 'postgres://u:p@h/db?sslmode=disable',
      application_name: 'photosafe',
      options: expect.stringMatching(/^-c tcp_.* -c geqo=off -c statement_timeout=5s -c a.b=two\\ words$/) as string,
      keepAlive: true,
    });
  });

  it('shows a URL without its password', () => {
    expect(shownUrl('postgres://u:secret@h:1/db')).toBe('postgres://u@h:1/db');
  });
});
