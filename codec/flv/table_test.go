package flv

import "github.com/headwater-live/headwater/codec/media"

const (
	ms = media.Millisecond

	script, video, audio = media.Data, media.Video, media.Audio
	frame, key, header   = media.Frame, media.Keyframe, media.SequenceHeader
)

// good are bodies and what Parse says of them. They and bad seed the fuzz targets.
var good = []struct {
	name    string
	kind    media.Kind
	body    string
	codec   media.FourCC
	role    media.Role
	flags   Flags
	cts     media.Time
	payload int
}{
	{"avc header", video, "\x17\x00\x00\x00\x00conf", media.AVC, header, 0, 0, 5},
	{"avc keyframe", video, "\x17\x01\x00\x00\x42data", media.AVC, key, Composition, 66 * ms, 5},
	{
		"avc frame, negative composition time", video, "\x27\x01\xff\xff\xfe",
		media.AVC, frame, Composition, -2 * ms, 5,
	},
	{
		"avc disposable", video, "\x37\x01\x00\x00\x00d",
		media.AVC, frame, Disposable | Composition, 0, 5,
	},
	{"avc end of sequence", video, "\x17\x02\x00\x00\x00", media.AVC, frame, EndOfSequence, 0, 5},
	{"avc command frame", video, "\x57\x00", media.AVC, frame, CommandFrame, 0, 1},
	{"legacy hevc", video, "\x1c\x01\x00\x00\x01d", media.HEVC, key, Composition, ms, 5},
	{"sorenson", video, "\x12d", fourCC("FLV1"), key, 0, 0, 1},
	{"aac header", audio, "\xaf\x00\x11\x90", media.AAC, header, 0, 0, 2},
	{"aac frame", audio, "\xaf\x01\x21", media.AAC, key, 0, 0, 2},
	{"mp3", audio, "\x2fd", media.MP3, key, 0, 0, 1},
	{"ex hevc header", video, "\x90hvc1conf", media.HEVC, header, Enhanced, 0, 5},
	{
		"ex hevc keyframe", video, "\x91hvc1\x00\x00\x21data",
		media.HEVC, key, Enhanced | Composition, 33 * ms, 8,
	},
	{"ex hevc without composition time", video, "\xa3hvc1data", media.HEVC, frame, Enhanced, 0, 5},
	{"ex hevc end", video, "\x92hvc1", media.HEVC, frame, Enhanced | EndOfSequence, 0, 5},
	{"ex avc", video, "\xa1avc1\x00\x00\x02d", media.AVC, frame, Enhanced | Composition, 2 * ms, 8},
	{"ex av1 keyframe", video, "\x91av01data", media.AV1, key, Enhanced, 0, 5},
	{"ex av1 transport stream header", video, "\x95av01conf", media.AV1, header, Enhanced, 0, 5},
	{"ex vp9 frame", video, "\xa1vp09data", media.VP9, frame, Enhanced, 0, 5},
	{
		"ex metadata", video, "\x94hvc1\x02\x00\x09colorInfo",
		media.HEVC, frame, Enhanced | VideoMetadata, 0, 5,
	},
	{
		"ex metadata, command type", video, "\xd4hvc1",
		media.HEVC, frame, Enhanced | VideoMetadata, 0, 5,
	},
	{"ex command", video, "\xd1\x00", 0, frame, Enhanced | CommandFrame, 0, 1},
	{"ex unknown codec", video, "\x91zzzzdata", fourCC("zzzz"), key, Enhanced, 0, 5},
	{
		"ex modex nanoseconds", video, "\x97\x02\x07\xa1\x20\x01hvc1\x00\x00\x01d",
		media.HEVC, key, Enhanced | Composition, ms + 500000, 13,
	},
	{
		"ex modex twice, unknown first", video, "\xa7\x00\xaa\x17\x02\x00\x00\x05\x03av01d",
		media.AV1, frame, Enhanced, 5, 13,
	},
	{
		"ex modex nanoseconds too large", video, "\x97\x02\xff\xff\xff\x01av01",
		media.AV1, key, Enhanced, 999999, 10,
	},
	{
		"ex modex long", video, "\x97\xff\x01\x01" + string(make([]byte, 0x102)) + "\x11av01",
		media.AV1, key, Enhanced, 0, 4 + 0x102 + 5,
	},
	{
		"ex multitrack, default track", video, "\x96\x01hvc1\x00\x00\x00\x00d",
		media.HEVC, key, Enhanced | Multitrack, 0, 6,
	},
	{
		"ex multitrack, further track", video, "\x96\x01hvc1\x01\x00\x00\x00d",
		media.HEVC, frame, Enhanced | Multitrack, 0, 6,
	},
	{
		"ex multitrack, further header", video, "\x96\x00hvc1\x01conf",
		media.HEVC, frame, Enhanced | Multitrack, 0, 6,
	},
	{
		"ex multitrack, many", video, "\x96\x10hvc1\x00\x00\x00\x04conf",
		media.HEVC, header, Enhanced | Multitrack, 0, 6,
	},
	{
		"ex multitrack, many codecs", video, "\x96\x23hvc1\x00\x00\x00\x01d",
		0, key, Enhanced | Multitrack, 0, 2,
	},
	{"ex opus header", audio, "\x90OpusOpusHead", media.Opus, header, Enhanced, 0, 5},
	{"ex opus frame", audio, "\x91Opusd", media.Opus, key, Enhanced, 0, 5},
	{"ex aac header", audio, "\x90mp4a\x11\x90", media.AAC, header, Enhanced, 0, 5},
	{"ex ac-3", audio, "\x91ac-3d", fourCC("ac-3"), key, Enhanced, 0, 5},
	{"ex audio end", audio, "\x92Opus", media.Opus, frame, Enhanced | EndOfSequence, 0, 5},
	{
		"ex multichannel", audio, "\x94Opus\x01\x02\x00\x00\x00\x03",
		media.Opus, header, Enhanced | Multichannel, 0, 5,
	},
	{"ex audio modex", audio, "\x97\x02\x00\x00\x09\x01Opusd", media.Opus, key, Enhanced, 9, 10},
	{
		"ex audio further track", audio, "\x95\x01Opus\x02d",
		media.Opus, frame, Enhanced | Multitrack, 0, 6,
	},
	{"metadata", script, onMetaData + "\x05", 0, header, 0, 0, 0},
	{
		"metadata to a server", script, setDataFrame + onMetaData + "\x05",
		0, header, SetDataFrame, 0, 16,
	},
	{"other script", script, "\x02\x00\x0aonTextData\x05", 0, frame, 0, 0, 0},
	{"longer name", script, "\x02\x00\x0bonMetaDataX", 0, frame, 0, 0, 0},
	{"not AMF0", script, "\xff", 0, frame, 0, 0, 0},
}

// bad are bodies that Parse refuses.
var bad = []struct {
	name string
	kind media.Kind
	body string
	err  error
}{
	{"avc cut", video, "\x17\x01\x00\x00", ErrTruncated},
	{"avc packet type", video, "\x17\x03\x00\x00\x00", ErrInvalid},
	{"no such video codec", video, "\x10d", ErrInvalid},
	{"empty video", video, "", ErrTruncated},
	{"aac cut", audio, "\xaf", ErrTruncated},
	{"aac packet type", audio, "\xaf\x02", ErrInvalid},
	{"no such sound format", audio, "\xc0d", ErrInvalid},
	{"ex hevc cut", video, "\x91hvc1\x00\x00", ErrTruncated},
	{"ex codec cut", video, "\x91hvc", ErrTruncated},
	{"ex packet type", video, "\x98hvc1", ErrInvalid},
	{"ex modex without size", video, "\x97", ErrTruncated},
	{"ex modex cut", video, "\x97\x02\x00\x00\x00", ErrTruncated},
	{"ex modex long size cut", video, "\x97\xff\x00", ErrTruncated},
	{"ex multitrack in itself", video, "\x96\x06hvc1", ErrInvalid},
	{"ex multitrack type", video, "\x96\x31hvc1", ErrInvalid},
	{"ex multitrack cut", video, "\x96", ErrTruncated},
	{"ex multitrack without id", video, "\x96\x01hvc1", ErrTruncated},
	{"ex audio packet type", audio, "\x93Opus", ErrInvalid},
	{"ex audio cut", audio, "\x91Op", ErrTruncated},
	{"empty script", script, "", ErrTruncated},
	{"no such kind", media.Kind(7), "x", ErrInvalid},
}
