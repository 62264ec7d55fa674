package config

// nearest returns the key that unknown is most likely meant for: the one of the least edits, where
// a right last part in the wrong section counts as one edit.
func nearest(unknown string, keys []string) string {
	best, least := "", 0
	for _, key := range keys {
		d := edits(unknown, key)
		if lastPart(unknown) == lastPart(key) {
			d = min(d, 1)
		}
		if best == "" || d < least {
			best, least = key, d
		}
	}
	return best
}

// edits counts the insertions, deletions, substitutions and swaps of neighbours that turn a into
// b, none at the same place twice.
func edits(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}
