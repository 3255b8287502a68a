import { describeHistories } from './describe-histories.js';

// A few seconds each; test/long has those of 20,000 appends.
describeHistories({ appends: 400, kills: 2, terminations: 10, networkFaults: 20, restarts: 2 });
