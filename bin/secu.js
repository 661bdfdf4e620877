#!/usr/bin/env node
import { launch } from '../scripts/launch.js';

process.exitCode = await launch('secu', process.argv.slice(2));
