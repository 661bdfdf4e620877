// Colours as [light, dark]. The comments list contrast ratios, light then dark: foreground on tint, foreground on the
// surface with the lowest contrast, white on solid, dot on the surface with the lowest contrast.
const red = {
  fg: ['#9b1c14', '#ffaba4'],
  tint: ['#fbe3e1', '#47191a'],
  tintHover: ['#f7d2cf', '#551f20'],
  dot: ['#c9302a', '#ea5b52'],
  solid: ['#b3261e', '#c22f2a'],
  solidHover: ['#9b1c14', '#a82722'],
} as const; // 6.68 6.87 6.54 4.48 | 8.17 7.72 5.62 4.07
const amber = {
  fg: ['#6b4d00', '#f0cc62'],
  tint: ['#fbf1cf', '#362a08'],
  tintHover: ['#f6e6ae', '#44350b'],
  dot: ['#96700a', '#c9a227'],
  solid: ['#7a5a00', '#7a5a00'],
  solidHover: ['#6b4d00', '#6b4d00'],
} as const; // 6.92 6.57 6.38 3.82 | 9.06 8.99 6.38 5.77
export const hues = {
  critical: {
    ...red,
    fg: ['#8f1414', '#ffaba4'],
    dot: ['#a01818', '#f0655c'],
    solid: ['#a01818', '#c22f2a'],
  }, // 7.54 7.75 7.96 6.69 | 8.17 7.72 5.62 4.47
  high: {
    fg: ['#8a3a06', '#ffb784'],
    tint: ['#fdebdc', '#42250f'],
    tintHover: ['#fadcc2', '#512e13'],
    dot: ['#c2570c', '#ee8a3c'],
    solid: ['#a5480a', '#a5480a'],
    solidHover: ['#8a3a06', '#8a3a06'],
  }, // 6.73 6.56 5.95 3.78 | 8.22 8.22 5.95 5.54
  medium: amber,
  warn: amber,
  bad: red,
  low: {
    fg: ['#2f4f6e', '#a9c8e4'],
    tint: ['#e4edf5', '#1c2c3a'],
    tintHover: ['#d5e2ee', '#243849'],
    dot: ['#4f7596', '#6d98bd'],
    solid: ['#3f6282', '#3f6282'],
    solidHover: ['#2f4f6e', '#2f4f6e'],
  }, // 7.19 7.16 6.40 4.09 | 8.21 8.03 6.40 4.57
  ok: {
    fg: ['#12603a', '#83d7a8'],
    tint: ['#dff3e7', '#12301f'],
    tintHover: ['#cbead8', '#183d28'],
    dot: ['#1f8a54', '#3fae74'],
    solid: ['#17713f', '#17713f'],
    solidHover: ['#12603a', '#12603a'],
  }, // 6.56 6.39 6.05 3.66 | 8.34 8.15 6.05 5.00
  info: {
    fg: ['#1a4f9f', '#9cc3fa'],
    tint: ['#e3eefc', '#14294a'],
    tintHover: ['#d0e2f9', '#1a355f'],
    dot: ['#2f74d0', '#4c8ce4'],
    solid: ['#1c57b0', '#2863bd'],
    solidHover: ['#174891', '#1f56a8'],
  }, // 6.72 6.63 6.91 3.90 | 8.02 7.72 5.82 4.11
  neutral: {
    fg: ['#474f5a', '#bcc4ce'],
    tint: ['#e9ecf0', '#292f37'],
    tintHover: ['#dde2e8', '#333a43'],
    dot: ['#6f7986', '#7f8a97'],
    solid: ['#535c68', '#535c68'],
    solidHover: ['#474f5a', '#474f5a'],
  }, // 6.99 6.96 6.78 3.71 | 7.66 7.93 6.78 3.98
} as const;
export const base = {
  '--mantine-color-body': ['#ffffff', '#14171b'],
  '--secu-sunken': ['#f6f7f9', '#0e1013'],
  '--secu-raised': ['#ffffff', '#1b1f25'],
  '--secu-hover': ['#eff2f6', '#22272e'],
  '--secu-selected': ['#e3ecfa', '#1d2c47'],
  '--secu-border': ['#d5dbe3', '#343b45'],
  '--mantine-color-text': ['#15181d', '#e4e8ed'],
  '--mantine-color-bright': ['#15181d', '#ffffff'],
  '--mantine-color-dimmed': ['#535c68', '#a3adb9'],
  '--mantine-color-placeholder': ['#5f6975', '#949fac'],
  '--mantine-color-anchor': ['#1c57b0', '#85b3f7'],
  '--mantine-color-error': ['#b3261e', '#ff9a92'],
  '--mantine-color-success': ['#12603a', '#83d7a8'],
  '--mantine-color-default': ['#ffffff', '#1b1f25'],
  '--mantine-color-default-hover': ['#eff2f6', '#22272e'],
  '--mantine-color-default-color': ['#15181d', '#e4e8ed'],
  '--mantine-color-default-border': ['#7a8492', '#6b7684'],
  '--secu-focus': ['#1c57b0', '#85b3f7'],
} as const;
export type Hue = keyof typeof hues;
