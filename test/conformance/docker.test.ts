import { testDriver } from '../support/engines.ts';
import { driverSuite } from './driver.suite.ts';

driverSuite({ name: 'docker', makeDriver: () => testDriver('docker'), lacks: {} });
