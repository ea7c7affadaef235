import { testDriver } from '../support/sandbox.ts';
import { driverSuite } from './driver.suite.ts';

driverSuite({ name: 'docker', makeDriver: testDriver, lacks: {} });
