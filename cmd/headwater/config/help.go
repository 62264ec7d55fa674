package config

// help says what a setting does, in a sentence that names its unit where the values do not.
func help(key string) string {
	if text := helpLink(key) + helpCluster(key); text != "" {
		return text
	}
	return map[string]string{
		"node.name": "Name of this node in logs and metrics, 1 to 64 of a-z A-Z 0-9 . _ -; " +
			"when empty, the host's name.",

		"rtmp.listen": "Address that takes RTMP; empty turns plain RTMP off, " +
			"port 0 is any free one.",
		"rtmp.tls-listen": "Address that takes RTMP over TLS (RTMPS); empty turns it off.",
		"rtmp.tls-cert":   "Path of the certificate chain for RTMPS, in PEM form.",
		"rtmp.tls-key":    "Path of the private key of the certificate for RTMPS, in PEM form.",

		"http.listen": "Address of the player page, HTTP-FLV, /metrics and /debug/tree.",

		"publish.policy": "What a second publisher of a key does: takeover ends the first, " +
			"reject refuses the second.",
		"publish.grace": "How long a broadcast and its viewers wait for a publisher that was lost.",

		"viewer.wait": "How long a viewer waits for a broadcast that is not there; " +
			"0s refuses at once.",
		"viewer.merge-window": "How long media is gathered before it is written: longer costs " +
			"delay and saves CPU; adaptive widens it with the load.",
		"viewer.max-behind": "How far a slow viewer may fall behind live before it skips to the " +
			"next keyframe.",
		"viewer.max-stall": "How long a viewer may take nothing at all before it is closed.",
		"viewer.max-skips": "How many skips a minute a viewer may need; with one more it is closed.",
		"viewer.linger":    "How long an edge keeps a broadcast after its last viewer has left.",
		"viewer.send-buffer": "Kernel send buffer of each viewer's connection: what is in it " +
			"cannot be skipped.",

		"topic.time":  "How much of a broadcast is kept for its viewers, in time.",
		"topic.bytes": "How much of a broadcast is kept for its viewers, in bytes.",

		"processing.policy": "When the public picture is processed: when-asked does so while " +
			"something is blurred, always costs CPU and lets a blur begin without a seam.",
		"processing.isolation": "Where pictures are processed: in-process, or process for a child " +
			"process of each rendition, whose crash costs nothing else.",
		"processing.slots": "How many pictures are worked on at a time; 0 is as many as there " +
			"are cores.",
		"processing.memory": "Private memory that a child process of a rendition may take.",
		"processing.preset": "x264's preset: a slower one gives a better picture for the same " +
			"bits and costs more CPU.",
		"processing.hybrid": "Let the publisher's own pictures pass while nothing is blurred even " +
			"where the policy is always.",
		"processing.loudness": "Measure how loud each broadcast is.",
		"processing.max-side": "Greatest width and height in pixels of a picture that is " +
			"processed; a larger one is withheld where it would have to be.",
		"processing.max-pixels": "Greatest area in pixels of such a picture: a decoder takes " +
			"memory for many of the size that a publisher only states.",

		"limits.connections": "How many connections of all kinds there may be at once.",
		"limits.connections-per-address": "How many of them one address may have; 0 sets no " +
			"limit, which is right behind a proxy.",
		"limits.negotiating": "How many of them may not yet have said what they want.",
		"limits.handshake":   "How long a connection may take to say what it wants.",
		"limits.idle":        "How long a publisher may send nothing before it counts as lost.",
		"limits.message":     "Size of the largest audio or video message of a publisher.",
		"limits.broadcasts": "How many broadcasts this node takes publishers of, in a cluster; " +
			"0 sets no limit.",

		"stop.deadline": "How long a graceful stop may take before what is left is cut.",

		"log.level":  "Least level that is logged.",
		"log.format": "Form of a log line.",
	}[key]
}

func helpLink(key string) string {
	return map[string]string{
		"link.listen": "Address that takes links of nodes that follow this one; empty takes none. " +
			"Without link.tls-ca anybody who reaches it gets every broadcast.",
		"link.origins": "Nodes whose broadcasts this node's viewers can watch, in any number: " +
			"NAME=HOST:PORT of each one's link.listen, separated by commas.",
		"link.tls-cert": "Path of this node's certificate chain for links, in PEM form; " +
			"it is shown on both sides.",
		"link.tls-key": "Path of the private key of that certificate, in PEM form.",
		"link.tls-ca": "Path of the certificates of the authority that every node's certificate " +
			"has to be of, in PEM form.",
		"link.max-behind": "How far a link may fall behind a broadcast before it skips to the " +
			"newest keyframe.",
	}[key]
}
