// Which origins there are, what came after them, and how far off each method was.

import type { ForecastFacts, HorizonError, OriginFacts, ReportFacts, SeriesFacts } from "../../facts";
import { isNumber } from "../../numbers";

type Value = number | null;

/** A channel of a series that is forecast. */
export interface Subject {
  series: number;
  channel: number;
  drawn: SeriesFacts;
  origins: OriginFacts[];
}

/** Returns the channels that are forecast, with their origins, the earliest first. */
export function subjectsOf(report: ReportFacts): Subject[] {
  const { forecast, series = [], network } = report;
  const channels = network?.channels ?? 1;
  const found = new Map<string, Subject>();
  for (const origin of forecast?.origins ?? []) {
    const key = `${origin.series} ${origin.channel}`;
    const drawn = series[origin.series * channels + origin.channel];
    if (!drawn) continue;
    const subject = found.get(key) ?? { series: origin.series, channel: origin.channel, drawn, origins: [] };
    subject.origins.push(origin);
    found.set(key, subject);
  }
  for (const { origins } of found.values()) origins.sort((a, b) => a.origin - b.origin);
  return [...found.values()];
}

/** Returns the place of the origin that is nearest to a position in the series. */
export function nearest(origins: readonly OriginFacts[], position: number): number {
  const away = origins.map((one) => Math.abs(one.origin - position));
  return away.indexOf(Math.min(...away));
}

/** Returns what came after an origin, null where it is not known. */
export function truthAfter(drawn: SeriesFacts, origin: number, count: number): Value[] {
  return Array.from({ length: count }, (_, k) => drawn.values[origin + k - drawn.first] ?? null);
}

/** Returns the root of the mean square of what is known of a forecast's errors; null where nothing is. */
export function rmse(forecast: readonly Value[], truth: readonly Value[]): Value {
  const squares = forecast.flatMap((value, k) => {
    const came = truth[k];
    return isNumber(value) && isNumber(came) ? [(value - came) ** 2] : [];
  });
  return squares.length ? Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / squares.length) : null;
}

/** The error of a method over all of the horizon. */
export interface Overall {
  method: string;
  rmse: number;
}

/** Returns the errors of all methods over the points ahead where each of them is known, the least first. */
export function overall(errors: readonly HorizonError[]): Overall[] {
  return errors
    .flatMap(({ method, rmse: each }) => {
      const known = each.filter(isNumber);
      return known.length ? [{ method, rmse: Math.sqrt(known.reduce((sum, one) => sum + one * one, 0) / known.length) }] : [];
    })
    .sort((a, b) => a.rmse - b.rmse);
}

/** The methods that are the network's own. */
export const OWN: readonly string[] = ["network", "network_open"];

/** Lines of the baselines, in the order of the facts. */
export function baselineStyles(forecast: ForecastFacts): Record<string, string> {
  const names = forecast.errors.map(({ method }) => method).filter((method) => !OWN.includes(method));
  const beside = [...names, ...forecast.origins.flatMap((one) => Object.keys(one.baselines))];
  return Object.fromEntries([...new Set(beside)].map((name, k) => [name, `baseline-${[1, 2, 3, 5, 6, 4][k % 6]}`]));
}
