package timeline

const hour = 3600_000

// scenario is a stream and what becomes of it.
type scenario struct {
	name  string
	start Start
	units []in
}

// plain are streams that rise with their clock: all comes through.
func plain() []scenario {
	return []scenario{
		{"from zero", Start{}, []in{
			{video, 0, 1000, 0, 0},
			{audio, 0, 1001, 0, 0},
			{audio, 23, 1020, 23, 0},
			{video, 33, 1033, 33, 0},
			{audio, 46, 1046, 46, 0},
			{video, 67, 1067, 67, 0},
		}},
		{"audio leads", Start{}, []in{
			{audio, 40, 0, 40, 0},
			{video, 0, 1, 0, 0},
			{video, 33, 10, 33, 0},
			{audio, 63, 10, 63, 0},
		}},
		{"from 16 800 s, video behind audio", Start{}, []in{
			{audio, 16_800_040, 0, 250, 0},
			{video, 16_800_000, 0, 210, 0},
			{audio, 16_800_063, 23, 273, 0},
			{video, 16_800_033, 33, 243, 0},
		}},
		{"further behind than the headroom: all move up together", Start{}, []in{
			{audio, 16_800_500, 0, 250, 0},
			{video, 16_800_000, 0, 0, 0},
			{video, 16_800_033, 20, 33, 0},
			{audio, 16_800_523, 23, 523, 0},
			{audio, 16_800_546, 46, 546, 0},
		}},
		{"handed over", Start{DTS: 5000*ms + 1, Has: true}, []in{
			{data, 0, 0, 5001, 0}, {video, 70_000, 0, 5251, 0}, {audio, 69_990, 0, 5241, 0},
		}},
		{"wrap", Start{}, []in{
			{video, 0xffffffdf, 0, 250, 0},
			{audio, 0xfffffff0, 0, 267, 0},
			{video, 0, 33, 283, 0},
			{audio, 7, 33, 290, 0},
			{video, 0xfffffffe, 60, 284, -3},
			{video, 33, 66, 316, 0},
		}},
	}
}

// jumps are those that both tracks make, one after the other.
func jumps() []scenario {
	return []scenario{
		{"both jump an hour, audio first", Start{}, []in{
			{video, 1000, 0, 250, 0},
			{audio, 1000, 0, 250, 0},
			{video, 1033, 33, 283, 0},
			{audio, 1023, 33, 273, 0},
			{audio, 1046 + hour, 56, 296, 0},
			{video, 1067, 67, 317, 0},
			{audio, 1069 + hour, 79, 319, 0},
			{video, 1100 + hour, 100, 350, 0},
			{video, 1133 + hour, 133, 383, 0},
			{audio, 1092 + hour, 133, 342, 0},
		}},
		{"both reset, video first", Start{}, []in{
			{video, 90_000, 0, 250, 0},
			{audio, 90_000, 0, 250, 0},
			{video, 90_033, 33, 283, 0},
			{audio, 90_023, 33, 273, 0},
			{video, 0, 66, 316, 0},
			{audio, 90_046, 66, 296, 0},
			{audio, 0, 89, 316, 0},
			{video, 33, 99, 349, 0},
			{audio, 23, 112, 339, 0},
		}},
		{"a reset that would put audio behind itself moves both up", Start{}, []in{
			{video, 90_000, 0, 250, 0},
			{audio, 90_100, 0, 350, 0},
			{video, 0, 33, 283, 0},
			{audio, 0, 33, 351, 0},
			{video, 33, 66, 384, 0},
			{audio, 23, 66, 374, 0},
		}},
		{"back by 1.5 s, audio first", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{audio, 10_000, 0, 250, 0},
			{audio, 8_523, 23, 273, 0},
			{video, 10_033, 33, 283, 0},
			{audio, 8_546, 46, 296, 0},
			{video, 8_567, 67, 317, 0},
			{audio, 8_569, 69, 319, 0},
		}},
	}
}

// strays are tracks that do not agree.
func strays() []scenario {
	return []scenario{
		{"only audio jumps", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{audio, 10_000, 0, 250, 0},
			{audio, 10_023 + hour, 23, 273, 0},
			{video, 10_033, 33, 283, 0},
			{audio, 10_046 + hour, 46, 296, 0},
			{video, 10_067, 67, 317, 0},
		}},
		{"one stray timestamp", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{audio, 10_000, 0, 250, 0},
			{video, 10_033 + hour, 33, 283, 0},
			{video, 10_067, 67, 317, 0},
			{audio, 10_046, 70, 296, 0},
			{video, 10_100, 100, 350, 0},
		}},
		{"one stray timestamp of the only track", Start{}, []in{
			{audio, 10_000, 0, 250, 0},
			{audio, 23, 30, 280, 0},
			{audio, 10_046, 50, 296, 0},
			{audio, 10_069, 69, 319, 0},
		}},
		{"tracks with timestamps of their own", Start{}, []in{
			{video, 16_800_000, 0, 250, 0},
			{video, 16_800_033, 33, 283, 0},
			{audio, 0, 40, 290, 0},
			{video, 16_800_067, 67, 317, 0},
			{audio, 23, 67, 313, 0},
		}},
	}
}

// holes are pauses of the network or of the publisher.
func holes() []scenario {
	return []scenario{
		{"a hole that arrival explains", Start{}, []in{
			{video, 0, 0, 0, 0},
			{audio, 0, 0, 0, 0},
			{video, 33, 33, 33, 0},
			{video, 60_033, 60_033, 60_033, 0},
			{audio, 60_023, 60_040, 60_023, 0},
		}},
		{"a stall and the burst after it", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 33, 33, 33, 0},
			{video, 67, 8_067, 67, 0},
			{video, 100, 8_068, 100, 0},
			{video, 5_000, 8_069, 5_000, 0},
			{video, 8_000, 8_070, 8_000, 0},
		}},
		{"a stall between the first units of the tracks", Start{}, []in{
			{video, 0, 0, 0, 0}, {audio, 10, 8_000, 10, 0}, {video, 33, 8_000, 33, 0},
		}},
		{"a hole in silence is shortened", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 33, 33, 33, 0},
			{video, 5 * hour, 60_000, 10_033, 0},
			{video, 5*hour + 33, 60_033, 10_066, 0},
		}},
		{"a track that was away and restarts goes to where the other is", Start{}, []in{
			{video, 20_000, 0, 250, 0},
			{audio, 20_000, 0, 250, 0},
			{audio, 35_000, 15_000, 15_250, 0},
			{video, 0, 15_010, 15_260, 0},
			{audio, 35_023, 15_023, 15_273, 0},
		}},
	}
}

// disorder is what does not rise, and data.
func disorder() []scenario {
	return []scenario{
		{"duplicates", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 0, 0, 1, -1},
			{video, 0, 0, 2, -2},
			{audio, 0, 0, 0, 0},
			{audio, 0, 0, 1, 0},
			{video, 33, 33, 33, 0},
			{audio, 23, 33, 23, 0},
		}},
		{"disorder keeps PTS", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 100, 100, 100, 0},
			{video, 33, 100, 101, -68},
			{video, 67, 100, 102, -35},
			{video, 133, 133, 133, 0},
		}},
		{"falling step by step is a jump in the end", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{video, 9_400, 33, 251, -601},
			{video, 8_800, 67, 285, 0},
			{video, 8_833, 100, 318, 0},
		}},
		{"metadata with timestamp 0", Start{}, []in{
			{data, 0, 0, 0, 0},
			{video, 90_000, 0, 250, 0},
			{data, 0, 10, 250, 0},
			{audio, 90_023, 23, 273, 0},
			{data, 0, 24, 273, 0},
			{data, 90_050, 50, 300, 0},
			{video, 90_033, 33, 283, 0},
			{data, 90_033, 50, 300, 0},
		}},
	}
}
