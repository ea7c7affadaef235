import { describe } from 'vitest';
import { testDriver } from '../support/engines.ts';
import { driverSuite } from './driver.suite.ts';

const able = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!able)(
  'as root on Linux',
  { meta: { reason: 'the driver oci needs Linux and root' } },
  () => {
    driverSuite({ name: 'oci', makeDriver: () => testDriver('oci'), lacks: {} });
  },
);
