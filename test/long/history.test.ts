import { describeHistories } from '../history/describe-histories.js';

describeHistories({ appends: 20_000, kills: 40, terminations: 200, networkFaults: 400, restarts: 20 });
