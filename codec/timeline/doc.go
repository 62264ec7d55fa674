// Package timeline turns the timestamps of a publisher, which wrap, jump, restart and fall, into
// decoding times that only rise.
//
// # What comes through unchanged
//
// A publisher whose timestamps rise with its clock gets the same differences between all of its
// units, of both tracks, to the millisecond, however unevenly they arrive: arrival times decide
// only whether a jump is a jump. The 32 bit wrap is invisible.
//
// # What is repaired
//
// A timestamp more than JumpForward ahead of what the arrival times explain, or more than JumpBack
// behind its own track, begins a new domain: an offset chosen so that the track goes on by the time
// that passed between its units. A domain is shared by audio and video. A track whose timestamps
// still fit its former domain keeps it until they jump too, and then joins the domain that is
// nearest to them, so that the tracks stay in step as the publisher had them. A jump within the
// thresholds is taken as a hole in the stream (forward) or as disorder (back).
//
// A timestamp that fits two domains goes to the one in which it is nearer to the timestamps before
// it. This is ambiguous where a jump is about as long as a hole in the track: then the track is
// taken to have jumped with the other. A track that never follows the other's jump keeps its own
// domain, and both go on in the step that their arrival gave them. A single stray timestamp is a
// jump there and back again.
//
// Within a track the DTS of audio and video rises by at least 1 ms, for duplicates and disorder
// too; data never falls. Data never moves the offset: with a timestamp that means nothing, such as
// the 0 that metadata commonly has, it is put beside the latest unit.
//
// # Bounds
//
// After n audio and video units, of which the first arrived at a0 and got d0, no DTS given at
// arrival a is higher than d0 + (a - a0) + MaxLead + n milliseconds, whatever the timestamps are.
// A publisher that is faster than its clock for long is squeezed there. There is no bound below: a
// publisher that is slower than real time, or whose holes were shortened to MaxGap, falls behind.
package timeline
